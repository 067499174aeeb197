// Shows what the server sends: parts of the page as HTML, and strips as pictures.
import { openLink } from "./link.js";

const at = (id) => document.getElementById(id);
let updated = null;
let connection = "connecting";

function said() {
  if (connection === "connected" && updated) {
    const seconds = Math.max(0, Math.round(Date.now() / 1000 - updated));
    const ago = seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
    return `live; last evaluation ${ago} ago`;
  }
  return { connected: "connected", lost: "connection lost, trying again", ended: "headstart watch has ended" }[connection] ?? connection;
}

function showState() {
  at("state").textContent = said();
}

// What a reader has opened or hidden stays so when the numbers change.
function showRuns(html) {
  const place = at("runs");
  const opened = [...place.querySelectorAll("details")].map((each) => each.open);
  const hidden = [...place.querySelectorAll('.legend button[aria-pressed="false"]')].map((each) => each.textContent);
  place.innerHTML = html;
  place.querySelectorAll("details").forEach((each, index) => (each.open = opened[index] ?? false));
  bringToLife(place);
  for (const button of place.querySelectorAll(".legend button")) {
    if (hidden.includes(button.textContent)) button.click();
  }
}

function showStrips(captions, words) {
  at("films").hidden = false;
  at("words").textContent = words;
  at("strips").replaceChildren(
    ...captions.map((caption) => {
      const figure = document.createElement("figure");
      figure.className = caption.startsWith("failure") ? "failure" : "success";
      const image = document.createElement("img");
      image.alt = `stills of an episode: ${caption}`;
      const below = document.createElement("figcaption");
      below.textContent = caption;
      figure.append(image, below);
      return figure;
    }),
  );
}

async function showPicture(view, bytes) {
  const image = at("strips").querySelectorAll("img")[view];
  if (!image) return;
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  image.onload = () => URL.revokeObjectURL(address);
  image.src = address;
}

openLink({
  onMessage(message) {
    if ("runs" in message) {
      updated = message.updated;
      showRuns(message.runs);
      at("rest").innerHTML = message.rest;
    } else if ("strips" in message) {
      showStrips(message.strips, message.words);
    }
    showState();
  },
  onPicture: showPicture,
  onState(state) {
    connection = state;
    showState();
  },
});
setInterval(showState, 1000);
