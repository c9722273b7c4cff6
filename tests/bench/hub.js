// hub.js PORT: what many would write: a hub in twenty lines over npm's ws, which forwards bytes.
'use strict';
const { WebSocketServer, OPEN } = require('ws');

const hub = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false });
hub.on('connection', (one) => {
	one.on('message', (data, isBinary) => {
		for (const other of hub.clients) {
			if (other !== one && other.readyState === OPEN) other.send(data, { binary: isBinary });
		}
	});
});
