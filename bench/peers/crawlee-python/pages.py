"""Crawlee for Python as a peer, its ParselCrawler: SEED PORT IN_FLIGHT OUT.

Every page once, its title and links, a JSON line each. As its guides advise for speed: storage in
memory, no sessions, the concurrency wanted from the start.
"""

import asyncio
import json
import logging
import sys
from urllib.parse import urljoin, urlsplit

from crawlee import ConcurrencySettings
from crawlee.crawlers import ParselCrawler, ParselCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

SEED, PORT, IN_FLIGHT, OUT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def is_ours(url):
    try:
        return urlsplit(url).port == PORT
    except ValueError:
        return False


async def main(out):
    seen = {SEED}
    crawler = ParselCrawler(
        storage_client=MemoryStorageClient(),
        concurrency_settings=ConcurrencySettings(
            min_concurrency=IN_FLIGHT, desired_concurrency=IN_FLIGHT, max_concurrency=IN_FLIGHT
        ),
        max_request_retries=0,
        use_session_pool=False,
        configure_logging=False,
    )

    @crawler.router.default_handler
    async def handle(context: ParselCrawlingContext):
        kind = context.http_response.headers.get("content-type", "text/html")
        if not kind.startswith("text/html"):
            return
        own = context.request.loaded_url or context.request.url
        root = context.selector.root
        declared = root.xpath("//base/@href")
        base = urljoin(own, declared[0].strip()) if declared else own
        links = {}
        hrefs = root.xpath("//a/@href | //area/@href")
        for href in dict.fromkeys(href.partition("#")[0].strip() for href in hrefs):
            try:
                url = urljoin(base, href)
            except ValueError:
                continue
            if url.startswith("http:"):
                links[url] = None
        row = {"url": own, "title": root.findtext(".//title"), "links": list(links)}
        out.write(json.dumps(row) + "\n")
        new = [url for url in links if url not in seen and is_ours(url)]
        seen.update(new)
        if new:
            await context.add_requests(new)

    await crawler.run([SEED])


logging.disable(logging.WARNING)
with open(OUT, "w", encoding="utf-8") as file:
    asyncio.run(main(file))
