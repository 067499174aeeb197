// The connection of a page: connects again when it is lost, and answers pictures once drawn.
// A picture is a message of bytes: number (uint32), view (uint8), the picture itself.

const RETRY_MS = 1000;
// Close codes: the program has ended; it refused what this page said.
const ENDS = { 1001: "ended", 1008: "refused" };

export function openLink({ onMessage, onPicture, onState }) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const address = `${scheme}://${location.host}/socket${location.search}`;
  let socket = null;

  function connect() {
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => onState("connected");
    socket.onclose = (event) => {
      const reason = ENDS[event.code] ?? "lost";
      onState(reason);
      if (reason === "lost") setTimeout(connect, RETRY_MS);
    };
    socket.onmessage = async (event) => {
      if (typeof event.data === "string") return onMessage(JSON.parse(event.data));
      const header = new DataView(event.data);
      await onPicture(header.getUint8(4), event.data.slice(5));
      send({ seen: header.getUint32(0, true) });
    };
  }

  function send(message) {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  connect();
  return { send };
}
