// A headset: the picture on a wall, and the hand of the robot after the hand of the person.

const VERTICES = new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]);
const VERTEX_SHADER = `
  attribute vec2 corner; uniform mat4 projection, view; varying vec2 place;
  void main() {
    place = vec2(corner.x, -corner.y) * 0.5 + 0.5;
    gl_Position = projection * view * vec4(corner * 0.6 + vec2(0.0, 1.3), -1.4, 1.0);
  }`;
const FRAGMENT_SHADER = `
  precision mediump float; uniform sampler2D picture; varying vec2 place;
  void main() { gl_FragColor = texture2D(picture, place); }`;
const TRIGGER = 0;
const SQUEEZE = 1;

export class Headset {
  constructor(inputs, picture) {
    this.inputs = inputs;
    this.picture = picture;
    this.isWorn = false;
    this.before = null;
  }

  // Show the button where there is a headset.
  async offer(button) {
    if (!navigator.xr || !(await navigator.xr.isSessionSupported("immersive-vr"))) return;
    button.hidden = false;
    button.addEventListener("click", () => this.enter());
  }

  async enter() {
    const session = await navigator.xr.requestSession("immersive-vr", {
      optionalFeatures: ["local-floor"],
    });
    const gl = document.createElement("canvas").getContext("webgl", { xrCompatible: true });
    session.updateRenderState({ baseLayer: new XRWebGLLayer(session, gl) });
    const space = await session.requestReferenceSpace("local-floor");
    const wall = buildWall(gl);
    this.isWorn = true;
    session.addEventListener("end", () => {
      this.isWorn = false;
      this.inputs.grip = null;
      this.inputs.release();
    });
    const onFrame = (time, frame) => {
      session.requestAnimationFrame(onFrame);
      this.#follow(session, frame, space);
      const pose = frame.getViewerPose(space);
      if (pose) drawWall(gl, wall, session.renderState.baseLayer, pose, this.picture);
    };
    session.requestAnimationFrame(onFrame);
  }

  // The hand goes where the controller goes while it is squeezed; the trigger closes the fingers.
  #follow(session, frame, space) {
    const sources = [...session.inputSources].filter((each) => each.gripSpace && each.gamepad);
    const source = sources.find((each) => each.handedness === "right") ?? sources[0];
    const pose = source && frame.getPose(source.gripSpace, space);
    const isPressed = (index) => source.gamepad.buttons[index]?.pressed ?? false;
    if (!pose) {
      this.before = null;
      return;
    }
    const { x, y, z } = pose.transform.position;
    const place = [x, -z, y]; // right, away, up
    if (!isPressed(SQUEEZE)) this.before = null;
    else if (this.before !== null) {
      place.forEach((value, axis) => { this.inputs.reach[axis] += value - this.before[axis]; });
    }
    if (isPressed(SQUEEZE)) this.before = place;
    this.inputs.grip = isPressed(TRIGGER);
  }
}

function buildWall(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, VERTICES, gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
  return {
    projection: gl.getUniformLocation(program, "projection"),
    view: gl.getUniformLocation(program, "view"),
  };
}

function drawWall(gl, wall, layer, pose, picture) {
  gl.bindFramebuffer(gl.FRAMEBUFFER, layer.framebuffer);
  gl.clearColor(0.1, 0.1, 0.1, 1);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  for (const eye of pose.views) {
    const { x, y, width, height } = layer.getViewport(eye);
    gl.viewport(x, y, width, height);
    gl.uniformMatrix4fv(wall.projection, false, eye.projectionMatrix);
    gl.uniformMatrix4fv(wall.view, false, eye.transform.inverse.matrix);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}
