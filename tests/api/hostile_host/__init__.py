"""Settings of a host whose `REST_FRAMEWORK` has nothing in common with what this API needs."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import database

DATABASES = {"default": database("") | {"TEST": {"NAME": ":memory:"}}}
ROOT_URLCONF = HERE = f"{__name__}.urls"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FileUploadParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.RemoteUserAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [f"{HERE}.Nobody"],
    "DEFAULT_THROTTLE_CLASSES": [f"{HERE}.Never"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": f"{HERE}.NoNegotiation",
    "DEFAULT_METADATA_CLASS": f"{HERE}.NoMetadata",
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.QueryParameterVersioning",
    "ALLOWED_VERSIONS": ["v1"],
    "VERSION_PARAM": "limit",
    "EXCEPTION_HANDLER": f"{HERE}.fail",
    "VIEW_NAME_FUNCTION": f"{HERE}.fail",
    "VIEW_DESCRIPTION_FUNCTION": f"{HERE}.fail",
    "UNAUTHENTICATED_USER": None,
    "NON_FIELD_ERRORS_KEY": "oops",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
    "STRICT_JSON": False,
    "DATETIME_FORMAT": "%d",
    "DATETIME_INPUT_FORMATS": ["%d"],
    "DATE_FORMAT": "%d",
    "DATE_INPUT_FORMATS": ["%d"],
    "TIME_FORMAT": "%H",
    "TIME_INPUT_FORMATS": ["%H"],
}
