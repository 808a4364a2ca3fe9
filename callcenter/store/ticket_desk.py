"""The rows of who is at a ticket, and of what they write there."""

from callcenter.store.queries import Queries

SQL = Queries.beside(__file__)
