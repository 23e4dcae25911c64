/* Reads {data, now, ranges} from standard input and prints, for each range, whether the page takes it. */

import { wrongRange } from "../../assets/page/state/period.js";
import { readRules } from "../../assets/page/state/rules.js";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { data, now, ranges } = JSON.parse(Buffer.concat(chunks).toString());
const rules = readRules(data);
const takes = ([start, end]) => wrongRange(start, end, rules, Date.parse(now)) === null;
console.log(JSON.stringify(ranges.map(takes)));
