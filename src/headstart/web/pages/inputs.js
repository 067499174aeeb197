// Keyboard, gamepad, pads and sliders, put together into where the controls stand.

const KEYS = {
  Enter: "success", KeyF: "failure", KeyR: "rerecord", KeyN: "skip",
  KeyZ: "undo", KeyU: "undo", KeyP: "pause", KeyH: "half", KeyI: "hold", Space: "space",
};
const BUTTONS = {
  0: "failure", 2: "rerecord", 3: "success", 4: "half", 5: "hold", 6: "undo", 7: "grip", 8: "skip", 9: "toggle",
};
const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const DEAD_ZONE = 0.12;

const limit = (value) => Math.max(-1, Math.min(1, value));

export class Inputs {
  // onChange() is called when the controls move, onDeed(name) when a key or button is pressed.
  constructor({ onChange, onDeed }) {
    this.onChange = onChange;
    this.onDeed = onDeed;
    this.held = new Set();
    this.pads = { plane: [0, 0], height: [0, 0] };
    this.sliders = [];
    this.speed = 1;
    this.pressed = new Set();
    this.reach = [0, 0, 0];
    this.grip = null;
    addEventListener("keydown", (event) => this.#keyDown(event));
    addEventListener("keyup", (event) => this.#keyUp(event));
    addEventListener("blur", () => this.release());
    document.addEventListener("visibilitychange", () => document.hidden && this.release());
  }

  // Where the controls stand; what the hand is still to reach is taken along.
  take(dim) {
    const gamepad = this.#readGamepad();
    const isShifted = this.held.has("ShiftLeft") || this.held.has("ShiftRight");
    const move = [0, 0, 0];
    for (const [code, [right, away]] of Object.entries(ARROWS)) {
      if (!this.held.has(code)) continue;
      move[0] += right;
      move[isShifted && dim !== 2 ? 2 : 1] += away;
    }
    const [plane, height] = [this.pads.plane, this.pads.height];
    move[0] = limit(move[0] + gamepad[0] + plane[0]);
    move[1] = limit(move[1] + gamepad[1] + plane[1]);
    move[2] = limit(move[2] + gamepad[2] + height[1]);
    // Without a hand, keys and sticks move the first sliders.
    const extra = dim ? [] : move.map((share) => share * this.speed);
    const reach = this.reach.splice(0, 3, 0, 0, 0).map((way) => Math.max(-1, Math.min(1, way)));
    return {
      move: move.slice(0, dim).map((share) => share * this.speed),
      reach: reach.some((way) => way !== 0) ? reach.slice(0, dim) : [],
      grip: this.grip,
      sliders: this.sliders.map((value, place) => limit(value + (extra[place] ?? 0))),
    };
  }

  // All controls at rest, as when the window is no longer the one in front.
  release() {
    this.held.clear();
    this.pads = { plane: [0, 0], height: [0, 0] };
    this.sliders = this.sliders.map(() => 0);
    this.onChange();
  }

  addPad(element, name) {
    const knob = element.querySelector("i");
    const put = (right, up) => {
      this.pads[name] = [right, up];
      const { width, height } = element.getBoundingClientRect();
      knob.style.transform = `translate(${(right * width) / 3}px, ${(-up * height) / 3}px)`;
      this.onChange();
    };
    const follow = (event) => {
      const box = element.getBoundingClientRect();
      const right = limit(((event.clientX - box.left) / box.width - 0.5) * 3);
      const up = limit((0.5 - (event.clientY - box.top) / box.height) * 3);
      put(name === "height" ? 0 : right, up);
    };
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      follow(event);
    });
    element.addEventListener("pointermove", (event) => {
      if (element.hasPointerCapture(event.pointerId)) follow(event);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      element.addEventListener(end, () => put(0, 0));
    }
    addEventListener("blur", () => put(0, 0));
  }

  // A slider goes back to its middle once it is let go.
  addSlider(parent, entry) {
    const place = this.sliders.push(0) - 1;
    const label = document.createElement("label");
    const range = Object.assign(document.createElement("input"), {
      type: "range", min: -100, max: 100, value: 0,
    });
    label.append(`action ${entry}`, range);
    const put = (value) => {
      range.value = 100 * value;
      this.sliders[place] = value;
      this.onChange();
    };
    range.addEventListener("input", () => put(range.value / 100));
    for (const end of ["pointerup", "change", "blur"]) range.addEventListener(end, () => put(0));
    addEventListener("blur", () => put(0));
    parent.append(label);
  }

  #keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const deed = KEYS[event.code];
    const isHeld = event.code in ARROWS || event.key === "Shift";
    // A button in focus is pressed by these two.
    const isPress = event.target.matches("button, summary") && event.code === "Enter";
    if ((!deed && !isHeld) || isPress) return;
    event.preventDefault();
    if (event.repeat) return;
    if (deed) return this.onDeed(deed);
    this.held.add(event.code);
    this.onChange();
  }

  #keyUp(event) {
    // Space would press the button in focus.
    if (event.code === "Space" && !event.target.matches("input")) event.preventDefault();
    if (this.held.delete(event.code)) this.onChange();
  }

  #readGamepad() {
    const gamepad = [...navigator.getGamepads()].find((each) => each && each.connected);
    this.gamepad = gamepad ? gamepad.id : null;
    if (!gamepad) return [0, 0, 0];
    gamepad.buttons.forEach((button, index) => {
      if (!(index in BUTTONS)) return;
      if (button.pressed && !this.pressed.has(index)) this.onDeed(BUTTONS[index]);
      this.pressed[button.pressed ? "add" : "delete"](index);
    });
    const axis = (index) => {
      const value = gamepad.axes[index] ?? 0;
      return Math.abs(value) < DEAD_ZONE ? 0 : limit(value);
    };
    return document.hasFocus() ? [axis(0), -axis(1), -axis(3)] : [0, 0, 0];
  }
}
