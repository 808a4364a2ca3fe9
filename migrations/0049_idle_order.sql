-- Since when agents count as idle, and what their proficiency adds to that with the strategy `weighted`.
alter table organisation add idle_order text not null default 'last_contact'
    check (idle_order in ('last_contact', 'available'));
alter table queue add proficiency_weight interval not null default '1 minute';
