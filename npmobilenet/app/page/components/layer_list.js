// A table of layers; clicking a row, or its button by key, chooses the layer.
export default {
  template: `
    <div class="layers-frame"><table class="layers" @keydown.down.prevent="step(1)" @keydown.up.prevent="step(-1)">
      <thead>
        <tr><th scope="col">Layer</th><th scope="col">Output</th>
            <th scope="col" class="number">MMACs</th><th scope="col" class="number">ms</th></tr>
      </thead>
      <tbody ref="rows">
        <tr v-for="row in rows" :key="row.layer" :class="{ chosen: row.layer === chosen }"
            @click="$emit('choose', row.layer)">
          <th scope="row">
            <button type="button" :aria-pressed="row.layer === chosen" :title="row.title">{{ row.name }}</button>
          </th>
          <td>{{ row.shape }}</td>
          <td class="number"><span class="share" :style="share(row.macs_share)"></span>{{ row.macs }}</td>
          <td class="number"><span class="share" :style="share(row.time_share)"></span>{{ row.time }}</td>
        </tr>
      </tbody>
    </table></div>`,
  props: { rows: Array, chosen: String },
  emits: ["choose"],
  methods: {
    share(part) {
      return { width: `${100 * (part ?? 0)}%` };
    },
    step(by) {
      const buttons = [...this.$refs.rows.querySelectorAll("button")];
      const next = buttons[buttons.indexOf(document.activeElement) + by];
      next?.focus();
    },
  },
};
