"""Shipments: what one warehouse sends of one order. Owns the schema `fulfilment`; writes `fulfilment.*` events."""
