"""Scrapy as a peer, a plain spider: SEED PORT IN_FLIGHT OUT.

Every page once, its title and links, a JSON line each. The page is parsed once, links are taken with
one XPath, and what was seen is held in a set, so that no request is built for it again. Two spellings
of a URL are one request: what the request makes of them is held against a second set.
"""

import sys
from urllib.parse import urljoin, urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import HtmlResponse

from settings import settings

SEED, PORT, IN_FLIGHT, OUT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


class Pages(scrapy.Spider):
    name = "pages"

    async def start(self):
        self.spellings = {SEED}
        self.seen = {SEED}
        yield scrapy.Request(SEED, dont_filter=True)

    def parse(self, response):
        if not isinstance(response, HtmlResponse):
            return
        root = response.selector.root
        base = response.url
        declared = root.xpath("//base/@href")
        if declared:
            base = urljoin(base, declared[0].strip())
        links = {}
        hrefs = root.xpath("//a/@href | //area/@href")
        for href in dict.fromkeys(href.partition("#")[0].strip() for href in hrefs):
            try:
                url = urljoin(base, href)
            except ValueError:
                continue
            if url.startswith("http:"):
                links[url] = None
        yield {"url": response.url, "title": root.findtext(".//title"), "links": list(links)}
        for url in links:
            if url not in self.spellings and is_ours(url):
                self.spellings.add(url)
                request = scrapy.Request(url, dont_filter=True)
                if request.url not in self.seen:
                    self.seen.add(request.url)
                    yield request


def is_ours(url):
    try:
        return urlsplit(url).port == PORT
    except ValueError:
        return False


process = CrawlerProcess(settings(IN_FLIGHT, OUT))
process.crawl(Pages)
process.start()
