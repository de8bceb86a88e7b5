// Carries what is typed to the server, and its offers to the box.
export default function ({ data, setStateValue }) {
  const shared = (globalThis.scvizGenes ??= { boxes: new Map(), senders: new Map(), answers: new Map() });
  shared.senders.set(data.key, (text) => setStateValue("typed", text));
  shared.answers.set(data.key, data);
  shared.boxes.get(data.key)?.answer(data);
}
