// Points on the graphics card. One painter owns one canvas and its WebGL2 context.

const VERTEX = `#version 300 es
in vec2 place; in float code; in float chosen;
uniform vec2 scale, shift; uniform float size, dimmed; uniform vec4 dim; uniform sampler2D palette;
out vec4 color; out float edge;
void main() {
  vec4 own = texelFetch(palette, ivec2(int(code), 0), 0);
  color = dimmed > .5 && chosen < .5 ? dim : own;
  edge = 1. / size;
  gl_PointSize = size + 1.;
  gl_Position = own.a == 0. ? vec4(9., 9., 9., 1.) : vec4(place * scale + shift, 0., 1.);
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 color; in float edge; out vec4 result;
void main() {
  float alpha = color.a * (1. - smoothstep(.5 - edge, .5, length(gl_PointCoord - .5)));
  if (alpha < .01) discard;
  result = vec4(color.rgb * alpha, alpha);
}`;

const ATTRIBUTES = ["place", "code", "chosen"];

function linkProgram(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  ATTRIBUTES.forEach((name, i) => gl.bindAttribLocation(program, i, name));
  gl.linkProgram(program);
  gl.useProgram(program);
  return program;
}

/** A painter for the canvas, or null where the browser has no WebGL2. */
function createPainter(canvas) {
  const gl = canvas.getContext("webgl2", { antialias: false });
  if (!gl) return null;
  const program = linkProgram(gl);
  const at = Object.fromEntries(["scale", "shift", "size", "dimmed", "dim"]
    .map((name) => [name, gl.getUniformLocation(program, name)]));
  const buffers = ATTRIBUTES.map(() => gl.createBuffer()), order = gl.createBuffer();
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  let count = 0;

  const attribute = (slot, array, size, type, normalised) => {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffers[slot]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(slot);
    gl.vertexAttribPointer(slot, size, type, normalised, 0, 0);
  };

  return {
    gl,
    places: (xy) => attribute(0, xy, 2, gl.UNSIGNED_SHORT, true),
    codes: (codes) => attribute(1, codes, 1, gl.UNSIGNED_BYTE, false),
    chosen: (mask) => (mask ? attribute(2, mask, 1, gl.UNSIGNED_BYTE, true) : gl.disableVertexAttribArray(2)),
    palette: (rgba) => gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, rgba),
    order(rows) {
      count = rows.length;
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, order);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows, gl.STATIC_DRAW);
    },
    /** Draw at `width` x `height` pixels; scale and shift take the unit square to the picture. */
    draw({ width, height, scale, shift, size, dim }) {
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      gl.viewport(0, 0, width, height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(at.scale, ...scale);
      gl.uniform2f(at.shift, ...shift);
      gl.uniform1f(at.size, size);
      gl.uniform1f(at.dimmed, dim ? 1 : 0);
      gl.uniform4f(at.dim, ...(dim ?? [0, 0, 0, 0]));
      gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
    },
    close: () => gl.getExtension("WEBGL_lose_context")?.loseContext(),
  };
}
