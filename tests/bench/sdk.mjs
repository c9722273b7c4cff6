// The openai client for node as a filter: NDJSON in, records with the answer out in completion
// order, N promises at once. usage: node sdk.mjs BASE_URL N FILE
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import OpenAI from "openai";

const [baseURL, jobs, file] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 0 });
const lines = createInterface({ input: createReadStream(file) })[Symbol.asyncIterator]();

async function worker() {
	for (;;) {
		const { value, done } = await lines.next();
		if (done) return;
		const record = JSON.parse(value);
		const reply = await client.chat.completions.create({
			model: "m",
			messages: [
				{ role: "system", content: "You sort tickets." },
				{ role: "user", content: `Classify: ${record.text}` },
			],
		});
		record.ai = JSON.parse(reply.choices[0].message.content);
		process.stdout.write(`${JSON.stringify(record)}\n`);
	}
}

await Promise.all(Array.from({ length: Number(jobs) }, worker));
