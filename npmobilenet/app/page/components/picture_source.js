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
        <q-spinner v-if="waiting && !streaming" class="stage-spinner" size="2rem" />
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
    waiting: 0, // pictures without a reply
    preview: null,
    overlay: null,
    opacity: 1,
    message: "",
    took: null,
  }),
  created() {
    this.current = null; // the picture that `again` sends
    this.stream = null;
    this.answered = null; // the last frame with a reply
    this.sending = null; // ends when the picture before has been answered
    this.canvas = document.createElement("canvas");
  },
  activated() {
    this.again(); // another model may have been chosen meanwhile
  },
  deactivated() {
    this.stop(); // another tab is shown
  },
  unmounted() {
    this.stop();
    this.display(null);
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
    display(picture) {
      if (this.preview) URL.revokeObjectURL(this.preview);
      this.preview = picture && URL.createObjectURL(picture);
      this.current = picture;
    },
    async take(file) {
      this.stop();
      this.overlay = null;
      this.display(file);
      await this.send(file);
    },
    async again() {
      if (this.current && !this.streaming) await this.send(this.current);
    },
    async send(picture) {
      const before = this.sending; // replies come in the order of the pictures
      const sent = (async () => {
        await before;
        return await postBytes(this.url, picture);
      })();
      this.sending = sent.catch(() => {});
      this.waiting += 1;
      try {
        this.show(await sent);
        this.message = "";
        return true;
      } catch (error) {
        this.show({ rows: [] });
        this.message = error.message;
        return false;
      } finally {
        this.waiting -= 1;
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
      let stream;
      try {
        stream = await navigator.mediaDevices.getUserMedia({
          video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "environment" },
        });
      } catch (error) {
        this.message = `No camera: ${error.message}`;
        return;
      } finally {
        this.starting = false;
      }
      this.stream = stream;
      if (!this.$el.isConnected) return this.stop(); // another tab was opened meanwhile
      this.display(null);
      this.answered = null;
      this.overlay = null;
      this.$refs.video.srcObject = stream;
      this.streaming = true;
      this.watch(stream);
    },
    stop() {
      for (const track of this.stream?.getTracks() ?? []) track.stop();
      this.stream = null;
      if (this.streaming) this.display(this.answered); // what the bars speak of stays
      this.streaming = false;
      this.took = null;
    },
    async watch(stream) {
      const video = this.$refs.video;
      while (this.stream === stream) {
        await new Promise((next) => video.requestVideoFrameCallback(next));
        if (this.stream !== stream) break;
        const began = performance.now();
        const frame = await this.grab(video);
        if (this.stream !== stream) break; // else its reply would come after that of a chosen picture
        if (await this.send(frame)) {
          if (!this.streaming && this.current === this.answered) this.display(frame); // just stopped
          this.answered = frame;
          await this.$nextTick(); // the label is on the page
          if (this.stream === stream) this.took = performance.now() - began;
        } else {
          await new Promise((next) => setTimeout(next, 1000)); // the server may come back
        }
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
