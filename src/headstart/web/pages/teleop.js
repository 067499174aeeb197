import { Headset } from "./headset.js";
import { Inputs } from "./inputs.js";
import { openLink } from "./link.js";

const HEARTBEAT_MS = 80; // the program lets all rest after 200 ms of silence
const find = (id) => document.getElementById(id);
// Text that is written again is laid out, drawn and read out again.
const write = (node, text) => node.textContent === text || (node.textContent = text);

let hello = null;
let state = null;
let number = 0;
let last = "";
const waiting = new Map(); // when which controls were sent
const latencies = [];

const inputs = new Inputs({ onChange: () => sendStick(), onDeed: act });
const headset = new Headset(inputs, find("view-0"));
const link = openLink({ onMessage, onPicture, onState });

const isPilot = () => hello !== null && state !== null && state.pilot === hello.you;

// A gamepad reports nothing: it is asked at each frame of the screen, and heard when it moves.
function sendStick(isAsked = false) {
  if (!isPilot()) return;
  const stick = inputs.take(hello.dim);
  const now = JSON.stringify(stick);
  if (isAsked && now === last && !stick.reach.length) return;
  if (now !== last) {
    number += 1;
    waiting.set(number, performance.now());
    last = now;
  }
  link.send({ number, ...stick });
}

function setSpeed() {
  const percent = find("speed").querySelector("input").value;
  find("speed").querySelector("output").textContent = `${percent}%`;
  inputs.speed = percent / 100;
}

function act(name) {
  if (!isPilot()) return;
  if (hello.kind === "steer" && name === "space") name = "grip";
  if (name === "space") name = state.mode === "running" && hello.has_gripper ? "grip" : "toggle";
  if (name === "toggle") name = state.mode === "running" ? "pause" : "start";
  link.send({ do: name });
}

function onMessage(message) {
  if (message.hello) welcome(message.hello);
  // What all pages are told may come before this one is greeted.
  else if (message.state && hello) show(message.state);
  else if (message.take) list(message.take);
}

function welcome(told) {
  const isFirst = hello === null;
  hello = told;
  document.body.dataset.hello = JSON.stringify(hello);
  find("takes").replaceChildren();
  if (!isFirst) return;
  document.title = `${hello.env} - headstart ${hello.kind}`;
  document.body.classList.add(hello.kind);
  find("env").textContent = hello.env;
  find("plane").hidden = hello.dim === 0;
  find("height").hidden = hello.dim < 3;
  find("grip").hidden = !hello.has_gripper;
  find("assist").hidden = hello.ghost === null;
  inputs.addPad(find("plane"), "plane");
  inputs.addPad(find("height"), "height");
  for (const entry of hello.sliders) inputs.addSlider(find("sliders"), entry);
  headset.offer(find("headset"));
}

// Where there is a decoder, half as long as by way of a Blob, which another process holds.
async function decode(data) {
  const type = "image/jpeg";
  if (!window.ImageDecoder) return createImageBitmap(new Blob([data], { type }));
  const decoder = new ImageDecoder({ data, type });
  const { image } = await decoder.decode();
  decoder.close();
  return image;
}

async function onPicture(view, bytes) {
  const heard = new DataView(bytes).getUint32(0, true);
  const picture = await decode(bytes.slice(4));
  const canvas = find(`view-${view}`);
  canvas.hidden = false;
  const width = picture.displayWidth ?? picture.width;
  if (canvas.width !== width) canvas.width = canvas.height = width;
  canvas.getContext("2d", { alpha: false }).drawImage(picture, 0, 0);
  picture.close();
  if (view === 0) {
    measure(heard);
    sendStick();
  }
}

// The median time from a movement of the controls to the first picture that shows it.
function measure(heard) {
  const now = performance.now();
  let newest = null;
  for (const [sent, when] of waiting) {
    if (sent > heard) break;
    waiting.delete(sent);
    newest = when;
  }
  if (newest === null) return;
  latencies.push(now - newest);
  if (latencies.length > 200) latencies.shift();
  const median = latencies.toSorted((one, other) => one - other)[latencies.length >> 1];
  write(find("latency"), `${Math.round(median)} ms`);
}

const MODES = {
  waiting: "move or Space to start", running: "recording", paused: "paused",
  policy: "the policy steers: move to step in", you: "you steer", learning: "learning",
};

function show(told) {
  state = told;
  write(find("role"), role());
  find("role").classList.toggle("pilot", isPilot());
  find("take").hidden = state.pilot !== null;
  write(find("mode"), MODES[state.mode]);
  write(find("clock"), `${(state.steps / 25).toFixed(1)} s`);
  find("success").hidden = !state.is_success;
  write(find("note"), state.note);
  find("half").ariaPressed = state.is_half_speed;
  find("hold").ariaPressed = state.is_held;
  find("grip").ariaPressed = state.is_closed;
  write(find("grip"), state.is_closed ? "Open" : "Close");
  write(find("toggle").firstChild, state.mode === "running" ? "Pause " : "Start ");
  write(find("assist").querySelector("output"), `${Math.round(100 * state.assist)}%`);
  write(find("kept"), kept());
  for (const button of document.querySelectorAll("[data-do], #end")) {
    button.disabled = !isPilot() || (button.dataset.do === "undo" && !hello.can_undo);
  }
  document.body.dataset.state = JSON.stringify({ ...state, is_pilot: isPilot() });
}

function role() {
  if (isPilot()) return hello.kind === "steer" ? "you may step in" : "you steer";
  return state.pilot === null ? "nobody steers" : "watching";
}

function kept() {
  if (hello.kind === "steer") return `${state.kept} that you have steered`;
  return `${state.kept}${hello.episodes ? ` of ${hello.episodes}` : ""} kept in ${hello.file}`;
}

function list(take) {
  const item = document.createElement("li");
  item.id = `take-${take.number}`;
  item.classList.toggle("dropped", !take.is_kept);
  const picture = Object.assign(document.createElement("img"), { src: take.picture, alt: "" });
  const text = document.createElement("div");
  const outcome = document.createElement("b");
  outcome.className = outcome.textContent = take.is_success ? "success" : "failure";
  const details = document.createElement("span");
  details.textContent = `scene ${take.scene}, ${take.seconds} s`;
  text.append(outcome, details);
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox" });
  box.checked = take.is_kept;
  box.addEventListener("change", () => {
    link.send({ keep: take.number, is_kept: box.checked });
    box.blur();
  });
  label.append(box, "keep");
  item.append(picture, text, label);
  const old = find(item.id);
  if (old) old.replaceWith(item);
  else find("takes").prepend(item);
}

const BANNERS = {
  connected: "",
  lost: "The connection is lost; trying again. What was kept is in the file.",
  refused: "The program refused what this page sent. Reload to try again.",
  ended: "The session has ended. What was kept is in the file; this page can be closed.",
};

function onState(name) {
  find("banner").textContent = BANNERS[name];
  find("banner").hidden = !BANNERS[name];
  if (name === "connected") return;
  state = null;
  find("role").textContent = "not connected";
  find("role").classList.remove("pilot");
}

for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => {
    act(button.dataset.do);
    button.blur();
  });
}
find("speed").addEventListener("input", setSpeed);
setSpeed();
find("take").addEventListener("click", () => link.send({ do: "take" }));
find("end").addEventListener("click", () => isPilot() && link.send({ do: "end" }));
find("assist").addEventListener("input", (event) => link.send({ assist: event.target.value / 100 }));
let asked = 0;
let isAsking = false;
function askGamepad(time) {
  isAsking = inputs.gamepad !== null;
  if (!isAsking) return;
  requestAnimationFrame(askGamepad);
  // Screens of 240 frames a second would make too many messages.
  if (time - asked < 10) return;
  asked = time;
  sendStick(true);
}
setInterval(() => {
  find("gamepad").textContent = inputs.gamepad ?? "no gamepad";
  if (document.hasFocus() || headset.isWorn) sendStick();
  if (inputs.gamepad && !isAsking) askGamepad(performance.now());
}, HEARTBEAT_MS);
