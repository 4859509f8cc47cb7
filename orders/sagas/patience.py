"""How long an order waits for what it has asked of others, before it is given up.

Stock is the shop's own. A gateway or a carrier that has taken a request can need days for it: for a
card holder who agrees, a transfer that arrives, a parcel that is fetched. One that can't be reached
is another matter: that is tried again soon, some times.
"""

from __future__ import annotations

_DAY = 24 * 60 * 60

STOCK_SECONDS = 60
PAYMENT_SECONDS = 3 * _DAY
PARCEL_SECONDS = 14 * _DAY
