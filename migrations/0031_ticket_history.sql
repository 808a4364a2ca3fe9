-- The history of tickets is written column by column; what it was compared by before is gone with it.

drop function if exists ticket_values(ticket);
