// Colly as a peer: SEED PORT IN_FLIGHT OUT. Every page once, its title and links, a JSON line each.
//
// As its examples advise for speed: asynchronous, with the parallelism in a limit rule and a transport
// that keeps as many connections.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/gocolly/colly/v2"
)

type row struct {
	URL   string   `json:"url"`
	Title string   `json:"title"`
	Links []string `json:"links"`
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: SEED PORT IN_FLIGHT OUT")
	}
	seed, port, out := os.Args[1], os.Args[2], os.Args[4]
	inFlight, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	file, err := os.Create(out)
	if err != nil {
		log.Fatal(err)
	}
	buffer := bufio.NewWriter(file)
	rows := json.NewEncoder(buffer)
	var writing sync.Mutex

	c := colly.NewCollector(colly.Async(true))
	c.IgnoreRobotsTxt = true
	c.WithTransport(&http.Transport{MaxIdleConns: inFlight, MaxIdleConnsPerHost: inFlight})
	if err := c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: inFlight}); err != nil {
		log.Fatal(err)
	}
	c.OnHTML("html", func(page *colly.HTMLElement) {
		found := row{URL: page.Request.URL.String(), Title: page.DOM.Find("title").First().Text()}
		seen := map[string]bool{}
		page.ForEach("a[href], area[href]", func(_ int, link *colly.HTMLElement) {
			target, _, _ := strings.Cut(link.Request.AbsoluteURL(link.Attr("href")), "#")
			if strings.HasPrefix(target, "http:") && !seen[target] {
				seen[target] = true
				found.Links = append(found.Links, target)
			}
		})
		writing.Lock()
		err := rows.Encode(found)
		writing.Unlock()
		if err != nil {
			log.Fatal(err)
		}
		for _, target := range found.Links {
			if parsed, err := url.Parse(target); err == nil && parsed.Port() == port {
				// An error is a page that was visited before.
				_ = page.Request.Visit(target)
			}
		}
	})
	if err := c.Visit(seed); err != nil {
		log.Fatal(err)
	}
	c.Wait()
	if err := buffer.Flush(); err != nil {
		log.Fatal(err)
	}
}
