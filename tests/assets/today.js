/* Reads {data, now, ranges} from standard input and prints, for each range, whether the page takes it and how it
   writes it. */

import { spanInWords, wrongRange } from "../../assets/page/state/period.js";
import { readRules } from "../../assets/page/state/rules.js";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { data, now, ranges } = JSON.parse(Buffer.concat(chunks).toString());
const rules = readRules(data);
const judged = ([start, end]) => [
  wrongRange(start, end, rules, Date.parse(now)) === null,
  spanInWords({ start, end }),
];
console.log(JSON.stringify(ranges.map(judged)));
