// http2.js DIR CERTIFICATE KEY: a language model on loopback under TLS that offers HTTP/2 and
// HTTP/1.1, as most providers do, on node's own http2. Answers any POST as OpenAI's chat
// completions do, with "ok"; GET /count: how many since it was last asked.
// Its address is written to DIR/url.
'use strict';
const fs = require('node:fs');
const http2 = require('node:http2');

const [dir, cert, key] = process.argv.slice(2);
const reply = JSON.stringify({
	id: 'chatcmpl-1', object: 'chat.completion', model: 'm',
	choices: [{index: 0, finish_reason: 'stop', message: {role: 'assistant', content: 'ok'}}],
	usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2},
});
let requests = 0;

const server = http2.createSecureServer({
	cert: fs.readFileSync(cert), key: fs.readFileSync(key), allowHTTP1: true,
});
server.on('request', (request, response) => {
	if (request.method === 'GET') {
		response.end(`${requests}\n`);
		requests = 0;
		return;
	}
	requests++;
	request.resume();
	request.on('end', () => {
		response.writeHead(200, {'content-type': 'application/json',
			'content-length': reply.length});
		response.end(reply);
	});
});
server.listen(0, '127.0.0.1', () => {
	fs.writeFileSync(`${dir}/url.new`, `https://127.0.0.1:${server.address().port}\n`);
	fs.renameSync(`${dir}/url.new`, `${dir}/url`);
});
