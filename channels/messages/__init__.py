"""Messages through gateways: SMS, messengers, and whatever speaks HTTP."""
