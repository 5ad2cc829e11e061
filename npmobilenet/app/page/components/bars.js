// Rows of a name, a bar and a percentage. Names are shown as text, whatever they contain.
export default {
  template: `
    <ol class="bars" :aria-label="label">
      <li v-for="row in rows" :key="row.key" class="bars-row" :class="{ best: row.best }">
        <button v-if="choosable" type="button" class="bars-name" :aria-pressed="row.best"
                @click="$emit('choose', row.key)">{{ row.label }}</button>
        <span v-else class="bars-name">{{ row.label }}</span>
        <span class="bars-value">{{ (100 * row.value).toFixed(1) }} %</span>
        <span class="bars-track" aria-hidden="true">
          <span class="bars-fill" :style="{ width: 100 * row.value + '%' }"></span>
        </span>
      </li>
      <li v-if="!rows.length" class="quiet">{{ empty }}</li>
    </ol>`,
  props: { label: String, empty: String, choosable: Boolean },
  emits: ["choose"],
  data: () => ({ rows: [] }),
  methods: {
    show(rows) {
      this.rows = rows;
    },
  },
};
