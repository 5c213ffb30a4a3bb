"""Scrapy as a peer, its CrawlSpider with a link extractor: SEED PORT IN_FLIGHT OUT.

Every page once, its title and links, a JSON line each, as Scrapy's own tutorial would have it.
"""

import sys

from scrapy import Request
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule

from settings import settings

SEED, PORT, IN_FLIGHT, OUT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def without_fragment(href):
    return href.partition("#")[0]


class Pages(CrawlSpider):
    name = "pages"
    extractor = LinkExtractor(deny_extensions=[], process_value=without_fragment)
    rules = [
        Rule(
            LinkExtractor(
                allow=rf"^http://[^/]+:{PORT}/",
                deny_extensions=[],
                process_value=without_fragment,
            ),
            callback="parse_page",
            follow=True,
        )
    ]

    async def start(self):
        yield Request(SEED)

    def parse_start_url(self, response):
        return self.parse_page(response)

    def parse_page(self, response):
        if not hasattr(response, "text"):
            return []
        links = [link.url for link in self.extractor.extract_links(response)]
        title = response.xpath("//title/text()").get()
        return [{"url": response.url, "title": title, "links": links}]


process = CrawlerProcess(settings(IN_FLIGHT, OUT))
process.crawl(Pages)
process.start()
