"""JSON that is the same in every host, whatever its `REST_FRAMEWORK` says."""

from __future__ import annotations

from rest_framework import renderers


class JSONRenderer(renderers.JSONRenderer):
    compact = True
    ensure_ascii = False
    strict = True


class ProblemRenderer(JSONRenderer):
    """RFC 9457."""

    media_type = "application/problem+json"
