-- Tickets and tasks that nobody has are offered to the agents of their queue, where the queue says so.
alter table queue add offers_tickets boolean not null default false, add offers_tasks boolean not null default false;

-- What is offered waits as an interaction of the channel 'ticket' or 'task'. It is no exchange with a customer: it has neither
-- customer_id nor ticket_id, so that no history and no figure of contacts counts it; this says what it is about, and in which
-- queue and with what priority that was when it was offered: what a rule or a supervisor moved since stays where they put it.
create table offered_work (
    interaction_id bigint primary key references interaction,
    ticket_id bigint references ticket,
    task_id bigint references task,
    queue_id bigint not null references queue,
    minutes integer not null,
    constraint offered_work_one check (num_nonnulls(ticket_id, task_id) = 1)
);
create index offered_work_ticket on offered_work (ticket_id) where ticket_id is not null;
create index offered_work_task on offered_work (task_id) where task_id is not null;

-- What may be offered, so that it is found among millions that may not.
create index ticket_unowned on ticket (queue_id, id)
    where owner_id is null and merged_into is null and state in ('new', 'open') and queue_id is not null;

alter table organisation
    alter column capacity set default
        '{"phone": 1, "email": 1, "chat": 4, "form": 1, "callback": 1, "visit": 1, "letter": 1, "fax": 1, "message": 1,
          "ticket": 1, "task": 1}',
    alter column interrupted_by set default
        '{"phone": [], "email": ["phone", "callback", "chat"], "chat": [], "form": ["phone", "callback", "chat"],
          "callback": [], "visit": [], "letter": ["phone", "callback", "chat"], "fax": ["phone", "callback", "chat"],
          "message": ["phone", "callback", "chat"], "ticket": ["phone", "callback", "chat"],
          "task": ["phone", "callback", "chat"]}';
update organisation set capacity = '{"ticket": 1, "task": 1}' || capacity,
    interrupted_by = '{"ticket": ["phone", "callback", "chat"], "task": ["phone", "callback", "chat"]}' || interrupted_by;
