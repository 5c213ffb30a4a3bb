// Crawlee as a peer, its CheerioCrawler: SEED PORT IN_FLIGHT OUT.
//
// Every page once, its title and links, a JSON line each. As its guides advise for speed: storage in
// memory, no sessions, the concurrency wanted from the start.

import { createWriteStream } from 'node:fs';
import { CheerioCrawler, Configuration, log, LogLevel } from '@crawlee/cheerio';

const [seed, port, inFlight, out] = process.argv.slice(2);
const file = createWriteStream(out);
const seen = new Set([seed]);
log.setLevel(LogLevel.OFF);

const crawler = new CheerioCrawler(
    {
        minConcurrency: Number(inFlight),
        maxConcurrency: Number(inFlight),
        autoscaledPoolOptions: { desiredConcurrency: Number(inFlight) },
        maxRequestRetries: 0,
        useSessionPool: false,
        persistCookiesPerSession: false,
        async requestHandler({ $, request, contentType, addRequests }) {
            if (contentType.type !== 'text/html') return;
            const own = request.loadedUrl ?? request.url;
            const declared = $('base[href]').first().attr('href');
            const base = declared === undefined ? own : new URL(declared, own);
            const links = new Set();
            for (const element of $('a[href], area[href]')) {
                const url = URL.parse?.(element.attribs.href, base) ?? parse(element.attribs.href, base);
                if (url === null || url.protocol !== 'http:') continue;
                url.hash = '';
                links.add(url.href);
            }
            const row = { url: own, title: $('title').first().text(), links: [...links] };
            file.write(`${JSON.stringify(row)}\n`);
            const fresh = row.links.filter((url) => !seen.has(url) && new URL(url).port === port);
            for (const url of fresh) seen.add(url);
            if (fresh.length > 0) await addRequests(fresh);
        },
    },
    new Configuration({ persistStorage: false }),
);

function parse(href, base) {
    try {
        return new URL(href, base);
    } catch {
        return null;
    }
}

await crawler.run([seed]);
file.end();
