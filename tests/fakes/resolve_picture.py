"""Draws a window of UIManager's double as HTML, in the manner of Resolve's; the guide's images are made so."""

from html import escape

CSS = """
* { box-sizing: border-box; font: 13px 'DejaVu Sans', sans-serif; }
body { margin: 0; background: #101012; padding: 16px; }
.window { background: #28282e; color: #c9c9ce; border: 1px solid #0b0b0d; border-radius: 6px; overflow: hidden; }
.title { background: #1f1f24; text-align: center; padding: 7px; color: #e6e6ea; }
.body { padding: 12px 16px; }
.VGroup { display: flex; flex-direction: column; gap: 6px; }
.HGroup { display: flex; gap: 10px; align-items: center; }
.HGroup > * { flex: var(--weight, 1) 1 0; min-width: 0; }
.Button, .field { background: #1d1d21; border: 1px solid #0d0d10; border-radius: 3px; padding: 4px 8px;
  min-height: 25px; }
.Button { background: #3a3a42; text-align: center; }
.Button:not([style]) { flex: 0 0 auto; min-width: 90px; }
.default { background: #4a5f8a; color: #fff; }
.field.ComboBox::after { content: '\\25be'; float: right; }
.field.SpinBox::after { content: '\\2195'; float: right; }
.CheckBox { flex: var(--weight, 1) 1 0; }
.box { display: inline-block; width: 15px; height: 15px; border: 1px solid #777; border-radius: 3px; text-align: center;
  line-height: 13px; }
.TabBar { display: flex; gap: 1px; margin: -4px -4px 8px; flex-wrap: wrap; }
.tab { padding: 5px 10px; background: #1f1f24; }
.tab.on { background: #3a3a42; color: #fff; }
.Slider { height: 6px; background: #1d1d21; border-radius: 3px; }
.Slider i { display: block; height: 6px; background: #c0553b; border-radius: 3px; }
.Label { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-height: 1px; }
.wrap { white-space: normal; }
"""


def html_of(window, page=0):
    """A window as a page of HTML; of its tabs one is shown."""
    title, width = escape(window.about["WindowTitle"]), window.about["Geometry"][2]
    inner = "".join(_element(child, page) for child in window.root.children)
    return (
        f"<!doctype html><meta charset=utf-8><style>{CSS}</style>"
        f'<div class=window style="width:{width}px"><div class=title>{title}</div><div class=body>{inner}</div></div>'
    )


def _element(element, page):
    about, kind = element.about, element.kind
    weight = f' style="--weight:{about["Weight"]}"' if about.get("Weight") else ""
    if kind in ("VGroup", "HGroup"):
        inner = "".join(_element(child, page) for child in element.children)
        return f'<div class="{kind}"{weight}>{inner}</div>'
    if kind == "Stack":
        return _element(element.children[page], page)
    if kind == "TabBar":
        tabs = (
            f'<span class="tab{" on" * (at == page)}">{escape(name)}</span>'
            for at, name in enumerate(element.tabs)
        )
        return f"<div class=TabBar>{''.join(tabs)}</div>"
    if kind == "Slider":
        share = about.get("Value", 0) / max(about.get("Maximum", 1), 1)
        return f'<div class=Slider><i style="width:{share:.0%}"></i></div>'
    if kind == "CheckBox":
        return f"<div class=CheckBox{weight}><span class=box>{'&#10003;' if about.get('Checked') else ''}</span></div>"
    text = escape(str(_text(element)))
    if kind == "Label":
        return f'<div class="Label{" wrap" * bool(about.get("WordWrap"))}"{weight}>{text}</div>'
    if kind == "Button":
        return f'<div class="Button{" default" * bool(about.get("Default"))}"{weight}>{text}</div>'
    return f'<div class="field {kind}"{weight}>{text or "&nbsp;"}</div>'


def _text(element):
    if element.kind == "ComboBox":
        return element.choices[int(element.about.get("CurrentIndex", 0))]
    return element.about.get("Value" if element.kind == "SpinBox" else "Text", "")
