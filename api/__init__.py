"""The JSON API: routes, problem+json errors, the OpenAPI document."""
