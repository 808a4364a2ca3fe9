"""Of the HTML of a mail, what is kept of it when it comes and shown of it later: form and words, nothing that acts."""

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "div",
    "dl", "dt", "em",
    "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "li", "ol", "p", "pre", "s", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "*": {"dir", "lang", "align", "valign"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "width"},
    "th": {"colspan", "rowspan", "width"},
    "table": {"width", "border", "cellpadding", "cellspacing"},
    "font": {"color", "size", "face"},
    "ol": {"start"},
}
SCHEMES = {"http", "https", "mailto", "tel", "cid"}
LINK = "noopener noreferrer nofollow"
LINK_VALUES = {"a": {"target": "_blank"}}
