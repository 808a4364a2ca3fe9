-- Whether visitors may ask to be called back while they wait, and outside the hours of the widget's queue.
alter table widget add column callback boolean not null default false;
