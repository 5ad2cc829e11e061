// A button that sends the files one chooses to an inbox, one after the other.
import { postBytes } from "post_bytes";

export default {
  template: `
    <span class="file-button">
      <q-btn :label="label" :icon="icon" :loading="busy" color="primary" flat no-caps dense @click="$refs.files.click()" />
      <input ref="files" type="file" :accept="accept" :multiple="multiple" hidden @change="chosen" />
      <span v-if="message" class="trouble" role="alert">{{ message }}</span>
    </span>`,
  props: { url: String, label: String, icon: String, accept: String, multiple: Boolean },
  data: () => ({ busy: false, message: "" }),
  methods: {
    async chosen(event) {
      const files = [...event.target.files];
      event.target.value = ""; // so that the same file can be chosen again
      this.busy = true;
      const troubles = [];
      for (const file of files) {
        try {
          await postBytes(this.url, file);
        } catch (error) {
          troubles.push(`${file.name}: ${error.message}`);
        }
      }
      this.busy = false;
      this.message = troubles.join("\n");
    },
  },
};
