"""Shapes of a digest: what Slack, Microsoft Teams, a signed webhook and a mail take of it.

Names of workspaces are put where no markup is read, so that none of them can become a link or a mention.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
from collections.abc import Mapping
from typing import Any

import orjson

from exports.digest.message import DigestLine, DigestMessage, DigestSection
from exports.digest.news import DigestNews
from reading.signals.signals_json import drift_json, fact_json

Json = dict[str, Any]
LONGEST_TEXT, LONGEST_HEAD = 2900, 150
"""Characters that Slack takes in a section and in a header."""
CARD = "application/vnd.microsoft.card.adaptive"


def slack(message: DigestMessage) -> str:
    """Message for a Slack incoming webhook, in blocks."""
    blocks: list[Json] = [{"type": "header", "text": _plain_text(message.subject, LONGEST_HEAD)}]
    for section in message.sections:
        lines = "\n".join(f"\N{BULLET} {line.text}" for line in section.lines)
        text = _plain_text(f"{section.title}\n{lines}", LONGEST_TEXT)
        blocks.append({"type": "section", "text": text})
    links = f"<{message.link}|Open the signals>  <{message.settings_link}|Stop or change this>"
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": links}},
        {"type": "context", "elements": [_plain_text(message.foot, LONGEST_TEXT)]},
    ]
    return _json_text({"text": html.escape(message.subject, quote=False), "blocks": blocks})


def _plain_text(text: str, longest: int) -> Json:
    """A text as Slack takes it, cut at its longest."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return {"type": "plain_text", "text": cut, "emoji": False}


def teams(message: DigestMessage) -> str:
    """Message for an incoming webhook of Microsoft Teams, as an adaptive card."""
    body = [_run(message.subject, size="medium", weight="bolder")]
    for section in message.sections:
        body.append(_run(section.title, weight="bolder"))
        body += [_run(line.text) for line in section.lines]
    body.append(_run(message.foot, isSubtle=True))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": "Open the signals", "url": message.link},
            {
                "type": "Action.OpenUrl",
                "title": "Stop or change this",
                "url": message.settings_link,
            },
        ],
    }
    attachment = {"contentType": CARD, "contentUrl": None, "content": card}
    return _json_text({"type": "message", "summary": message.subject, "attachments": [attachment]})


def _run(text: str, **style: Any) -> Json:
    """A paragraph in which no markup is read, as there would be in a TextBlock."""
    run = {"type": "TextRun", "text": text, **style}
    return {"type": "RichTextBlock", "inlines": [run]}


def webhook(message: DigestMessage, news: DigestNews, id: str) -> str:
    """Event for a signed webhook: the words, and the same drifts and facts as the API has them."""
    return _json_text(
        {
            "id": id,
            "type": "signals.digest",
            "night": news.night,
            "after": news.after,
            "subject": message.subject,
            "sections": [_section(section) for section in message.sections],
            "new": [drift_json(s) for s in news.new],
            "certain": [fact_json(f) for f in news.certain],
            "ended": [drift_json(s) for s in news.ended],
            "still_open": len(news.ongoing),
            "workspaces": news.workspaces,
            "promise": news.promise,
            "link": message.link,
        }
    )


def _section(section: DigestSection) -> Json:
    lines = [{"text": line.text, "href": line.href} for line in section.lines]
    return {"title": section.title, "lines": lines}


def signature_headers(id: str, at: int, body: bytes, secret: bytes) -> Mapping[str, str]:
    """Headers by which a receiver knows sender and id: HMAC-SHA256, as Standard Webhooks has it."""
    digest = hmac.new(secret, f"{id}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def plain_mail(message: DigestMessage, unsubscribe: str) -> str:
    """Text of a mail."""
    parts = []
    for section in message.sections:
        lines = [
            f"- {line.text}" + (f"\n  {line.href}" * bool(line.href)) for line in section.lines
        ]
        parts.append("\n".join([section.title, *lines]))
    parts += [message.link, message.foot, f"No more of these: {unsubscribe}"]
    return "\n\n".join(parts) + "\n"


def rich_mail(message: DigestMessage, unsubscribe: str) -> str:
    """HTML of a mail: nothing in it is fetched from anywhere. Its width is that of a page one reads; a name
    without a space breaks where it must."""
    sections = "".join(
        f'<h2 style="font-size:15px;margin:20px 0 6px">{html.escape(section.title)}</h2>'
        f'<ul style="margin:0;padding-left:18px">{_items(section)}</ul>'
        for section in message.sections
    )
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;font-size:14px;'
        'line-height:20px;color:#16202a;background:#ffffff"><div style="max-width:640px;'
        f'overflow-wrap:anywhere;word-break:break-word">{sections}'
        f'<p><a href="{html.escape(message.link)}">Open the signals</a></p>'
        f'<p style="font-size:12px;color:#5b6b7b">{html.escape(message.foot)}<br>'
        f'<a href="{html.escape(unsubscribe)}">No more of these</a></p></div></body></html>'
    )


def _items(section: DigestSection) -> str:
    return "".join(f'<li style="margin:0 0 8px">{_item(line)}</li>' for line in section.lines)


def _item(line: DigestLine) -> str:
    """A line whose name leads to its page: a whole sentence underlined is hard to read."""
    if not line.href:
        return html.escape(line.text)
    name, colon, rest = (html.escape(part) for part in line.text.partition(": "))
    link = f'<a href="{html.escape(line.href)}" style="color:#16202a;font-weight:bold">{name}</a>'
    return f"{link}{colon}{rest}"


def _json_text(document: Json) -> str:
    """The document as it is sent."""
    return orjson.dumps(document).decode()
