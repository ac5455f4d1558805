"""GraphQL, as the client library numerapi asks for it. A face: it translates, and knows no rule of the tournament.

schema.graphql    what can be asked
tolerant          texts to documents: bounded, their spelling mended, validated
resolvers         what is answered, field by field, by the verbs of the service
execution         operations to answers
http              requests to answers
"""

from __future__ import annotations

from typing import Any

from crowdalpha.server.service import Service


def attach(app: Any, service: Service) -> None:
    """Add the routes of this face to an app; its limits are `app.state.limits`."""
    from crowdalpha.server.graphql.http import routes

    app.router.routes.extend(routes())
