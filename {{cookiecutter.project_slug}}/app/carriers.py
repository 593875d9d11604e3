"""What travels with every request and all that it causes. Yours to edit.

The correlation and causation ids, the trace context and the environment travel in any case. A
carrier of your own is a line, as for what a trusted gateway says:

    Carrier("campaign", from_request=lambda request: request.headers.get("X-Campaign")),
"""

from app.building_blocks.carriers import Carrier, from_state

CARRIERS = (
    # Let your authentication set `request.state.tenant`, in a middleware or a dependency.
    Carrier("tenant", from_request=from_state("tenant"), http_header="X-Tenant-ID"),
)
