// The map's own mount carries only this: the code comes with the store and is not sent again at each recolor.
export default async function (mount) {
  const shared = (globalThis.scvizMap ??= {});
  shared.code ??= new Promise((done) => { shared.announce = done; });
  return (await shared.code)(mount);
}
