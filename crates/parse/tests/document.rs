//! What a page says, read as a whole.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use nephila_parse::{CharsetSource, Document, LinkKind, ParseOptions, parse_html};

fn parse(html: &str) -> Document {
    let options = ParseOptions {
        want_text: true,
        agent: "nephila".to_owned(),
        ..ParseOptions::default()
    };
    parse_html(html.as_bytes(), Some("text/html; charset=utf-8"), &options)
}

fn links(html: &str) -> Vec<(LinkKind, String)> {
    parse(html)
        .outlinks
        .into_iter()
        .map(|link| (link.kind, link.href))
        .collect()
}

fn text(html: &str) -> String {
    parse(html).text.unwrap()
}

#[test]
fn metadata_of_a_page() {
    let document = parse(
        "<!doctype html><html lang=de><head><title> A &amp;\n B </title><title>second</title>\
         <meta name=Description content=' What  it is '><meta name=robots content=noindex>\
         <meta name=Nephila content='nofollow'><meta name=otherbot content=none>\
         <meta http-equiv=content-language content='en'><base target=x><base href='/b/'><base href=/c/>\
         <link rel=canonical href=' /canonical '><link rel='stylesheet' href=s.css></head>",
    );
    assert_eq!(document.title.as_deref(), Some("A & B"));
    assert_eq!(document.description.as_deref(), Some("What it is"));
    assert_eq!(document.language.as_deref(), Some("de"));
    assert_eq!(document.robots_meta.as_deref(), Some("noindex, nofollow"));
    assert_eq!(document.base.as_deref(), Some("/b/"));
    assert_eq!(document.canonical.as_deref(), Some("/canonical"));
    assert_eq!(document.outlinks.len(), 1);
    assert_eq!(document.warnings, []);
}

#[test]
fn a_page_without_metadata_has_none() {
    let document = parse_html(b"hello", None, &ParseOptions::default());
    assert_eq!(document.charset.source, CharsetSource::Default);
    assert_eq!(
        (document.title, document.text, document.language),
        (None, None, None)
    );
    let pragma = parse("<meta http-equiv='Content-Language' content=' fr  x'>");
    assert_eq!(pragma.language.as_deref(), Some("fr"));
}

#[test]
fn links_of_every_kind() {
    use LinkKind::*;
    let found = links(
        "<link rel=next href=n><link rel=prev href=p><link rel=alternate type=application/atom+xml href=f>\
         <link rel=alternate hreflang=de href=de><link rel=sitemap href=m>\
         <meta http-equiv=Refresh content='5; url=r'><a href=a>x</a><map><area href=e></map>\
         <iframe src=i></iframe><frame src=no><svg><a href=s /><a xlink:href=t></a></svg><a name=x>y</a>\
         <a href>self</a><math><a href=no></a></math><template><a href=no></a></template>",
    );
    let expected = [
        (Next, "n"),
        (Prev, "p"),
        (Feed, "f"),
        (Alternate, "de"),
        (Sitemap, "m"),
        (Refresh, "r"),
        (Anchor, "a"),
        (Area, "e"),
        (Frame, "i"),
        (SvgAnchor, "s"),
        (SvgAnchor, "t"),
        (Anchor, ""),
    ];
    assert_eq!(found, expected.map(|(kind, href)| (kind, href.to_owned())));
}

#[test]
fn framesets_have_frames_and_no_anchors() {
    let frames = "<a href=1></a><frameset><frame src=f><noframes><a href=2></a></noframes><frameset>\
                  <frame src=g></frameset><a href=3></a></frameset><frame src=h><a href=4></a>";
    let expected = [
        (LinkKind::Frame, "f".to_owned()),
        (LinkKind::Frame, "g".to_owned()),
    ];
    assert_eq!(links(frames), expected);
    assert_eq!(links(&format!("text{frames}")).len(), 3);
}

#[test]
fn noscript_is_ordinary_content() {
    assert_eq!(
        links("<noscript><a href=1></a></noscript>"),
        [(LinkKind::Anchor, "1".to_owned())]
    );
}

#[test]
fn anchors_have_their_text() {
    let document = parse(
        "<a href=1 rel='Nofollow  UGC'> one\n<b>two</b><br>three <script>no</script></a> out \
         <a href=2>four<a href=3>five</a> six",
    );
    let texts: Vec<&str> = document
        .outlinks
        .iter()
        .map(|link| link.text.as_str())
        .collect();
    assert_eq!(texts, ["one two three", "four", "five"]);
    assert_eq!(document.outlinks[0].rel, "nofollow ugc");
    assert!(document.outlinks[0].nofollow);
    assert!(!document.outlinks[1].nofollow);
}

#[test]
fn text_is_what_is_visible() {
    let page = "<title>no</title><style>no</style><h1>Head</h1><p>One <b>b</b>old&nbsp;x\n y<p>Two<br>lines\
                <ul><li>a<li>b</ul><table><tr><td>c<td>d</table><script>no</script><template>no</template>\
                <noscript>yes</noscript><textarea>no</textarea><svg><title>no</title><text>svg</text></svg>\
                <!-- no -->1 &lt; 2 <3 <pre>x  y</pre>end";
    let expected = "Head\nOne bold\u{a0}x y\nTwo\nlines\na\nb\nc d\nyes svg1 < 2 <3\nx y\nend";
    assert_eq!(text(page), expected);
}

#[test]
fn xhtml_has_empty_elements() {
    let page = b"<html xml:lang='fr'><script src='x'/><title/><a href='1'/><a href='2'>\
                 <![CDATA[<a href=3>]]></a></html>";
    let options = ParseOptions {
        want_text: true,
        ..ParseOptions::default()
    };
    let document = parse_html(page, Some("application/xhtml+xml; charset=utf-8"), &options);
    let hrefs: Vec<&str> = document
        .outlinks
        .iter()
        .map(|link| link.href.as_str())
        .collect();
    assert_eq!(hrefs, ["1", "2"]);
    assert_eq!(document.outlinks[1].text, "<a href=3>");
    assert_eq!(document.language.as_deref(), Some("fr"));
}

#[test]
fn a_late_charset_declaration_is_obeyed() {
    let page = [
        b"<!--",
        " ".repeat(2000).as_bytes(),
        b"--><meta charset=koi8-r><title>\xf4</title>",
    ]
    .concat();
    let document = parse_html(&page, None, &ParseOptions::default());
    assert_eq!(
        (document.charset.name, document.charset.source),
        ("KOI8-R", CharsetSource::Meta)
    );
    assert_eq!(document.title.as_deref(), Some("\u{422}"));
    assert_eq!(document.warnings, []);
    let known = parse_html(
        &page,
        Some("text/html; charset=latin1"),
        &ParseOptions::default(),
    );
    assert_eq!(known.charset.source, CharsetSource::Header);
}

#[test]
fn foreign_content_ends_as_the_tree_says() {
    let after = |html: &str| {
        links(&format!("{html}<a href=x>"))
            .last()
            .map(|(kind, _)| *kind)
    };
    assert_eq!(after("<svg><g>"), Some(LinkKind::SvgAnchor));
    assert_eq!(after("<svg><g></svg>"), Some(LinkKind::Anchor));
    assert_eq!(after("<svg/>"), Some(LinkKind::Anchor));
    assert_eq!(after("<svg><p>"), Some(LinkKind::Anchor));
    assert_eq!(after("<div><svg><g></div>"), Some(LinkKind::Anchor));
    assert_eq!(
        after("<svg><foreignObject><p></svg>"),
        Some(LinkKind::Anchor)
    );
    assert_eq!(
        after("<svg><foreignObject></foreignObject>"),
        Some(LinkKind::SvgAnchor)
    );
    assert_eq!(
        after("<svg><style><a href=1></style></svg>"),
        Some(LinkKind::Anchor)
    );
    assert_eq!(after("<math><mi>"), Some(LinkKind::Anchor));
    assert_eq!(after("<math><mrow>"), None);
    assert_eq!(after("<template><svg></template>"), Some(LinkKind::Anchor));
    assert_eq!(after("<svg><template></svg>"), Some(LinkKind::Anchor));
}
