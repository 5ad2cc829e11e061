// Where pictures come from: dropped, chosen, or frames of the camera. Each is sent to an inbox, and
// its reply goes to the element of the bars. Of the camera's frames one is on its way at a time;
// those that come meanwhile are left out, so a slow server is never behind.
import { postBytes } from "post_bytes";

const QUALITY = 0.9; // of a frame's JPEG

export default {
  template: `
    <div class="source">
      <div class="stage" :class="{ over }" @dragover.prevent="over = true" @dragleave="over = false"
           @drop.prevent="dropped">
        <video v-show="streaming" ref="video" autoplay muted playsinline aria-label="Camera"></video>
        <img v-if="preview && !streaming" :src="preview" alt="The chosen picture" />
        <img v-if="overlay" class="overlay" :src="overlay" alt="" :style="{ opacity }" />
        <p v-if="!preview && !streaming" class="quiet">Drop a picture here, choose one,<br />or start the camera</p>
        <q-spinner v-if="busy && !streaming" class="stage-spinner" size="2rem" />
      </div>
      <div class="buttons">
        <q-btn label="Choose a picture" icon="image" color="primary" unelevated no-caps @click="$refs.file.click()" />
        <q-btn :label="streaming ? 'Stop camera' : 'Start camera'" :icon="streaming ? 'videocam_off' : 'videocam'"
               color="primary" outline no-caps :loading="starting" @click="streaming ? stop() : start()" />
        <input ref="file" type="file" accept="image/*" hidden @change="chosen" />
        <span class="quiet took" v-if="took !== null">{{ took.toFixed(0) }} ms from frame to label</span>
      </div>
      <label v-if="overlay" class="opacity quiet">
        Map <input type="range" min="0" max="1" step="0.05" v-model.number="opacity" />
      </label>
      <p v-if="message" class="trouble" role="alert">{{ message }}</p>
    </div>`,
  props: { url: String, bars: Number, side: Number },
  data: () => ({
    over: false,
    streaming: false,
    starting: false,
    busy: false,
    preview: null,
    overlay: null,
    opacity: 1,
    message: "",
    took: null,
  }),
  created() {
    this.current = null; // the picture that `again` sends
    this.stream = null;
    this.canvas = document.createElement("canvas");
  },
  deactivated() {
    this.stop(); // another tab is shown
  },
  unmounted() {
    this.stop();
    this.forget();
  },
  methods: {
    chosen(event) {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.take(file);
    },
    dropped(event) {
      this.over = false;
      const [file] = event.dataTransfer.files;
      if (file) this.take(file);
    },
    forget() {
      if (this.preview) URL.revokeObjectURL(this.preview);
      this.preview = null;
    },
    async take(file) {
      this.stop();
      this.forget();
      this.overlay = null;
      this.preview = URL.createObjectURL(file);
      this.current = file;
      await this.send(file);
    },
    async again() {
      if (this.current && !this.streaming) await this.send(this.current);
    },
    async send(bytes) {
      this.busy = true;
      try {
        this.show(await postBytes(this.url, bytes));
        this.message = "";
        return true;
      } catch (error) {
        this.show({ rows: [] });
        this.message = error.message;
        return false;
      } finally {
        this.busy = false;
      }
    },
    show(reply) {
      if (reply.rows) getElement(this.bars)?.show(reply.rows);
      this.overlay = reply.overlay ?? null;
    },
    async start() {
      this.message = "";
      if (!navigator.mediaDevices) {
        this.message = "The browser gives the camera only to pages on localhost or over HTTPS";
        return;
      }
      this.starting = true;
      try {
        this.stream = await navigator.mediaDevices.getUserMedia({
          video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "environment" },
        });
      } catch (error) {
        this.message = `No camera: ${error.message}`;
        return;
      } finally {
        this.starting = false;
      }
      this.forget();
      this.$refs.video.srcObject = this.stream;
      this.streaming = true;
      this.watch(this.stream);
    },
    stop() {
      for (const track of this.stream?.getTracks() ?? []) track.stop();
      this.stream = null;
      this.streaming = false;
      this.took = null;
      this.overlay = null;
    },
    async watch(stream) {
      const video = this.$refs.video;
      while (this.stream === stream) {
        await new Promise((next) => video.requestVideoFrameCallback(next));
        if (this.stream !== stream) break;
        const began = performance.now();
        const frame = await this.grab(video);
        if (!(await this.send(frame))) {
          await new Promise((next) => setTimeout(next, 1000)); // the server may come back
          continue;
        }
        await this.$nextTick(); // the label is on the page
        if (this.stream === stream) this.took = performance.now() - began;
      }
    },
    async grab(video) {
      const scale = Math.min(1, this.side / Math.min(video.videoWidth, video.videoHeight));
      this.canvas.width = Math.round(video.videoWidth * scale);
      this.canvas.height = Math.round(video.videoHeight * scale);
      this.canvas.getContext("2d").drawImage(video, 0, 0, this.canvas.width, this.canvas.height);
      return await new Promise((done) => this.canvas.toBlob(done, "image/jpeg", QUALITY));
    },
  },
};
