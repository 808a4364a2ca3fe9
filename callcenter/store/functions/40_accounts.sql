-- Signing in: how often it may be tried.

-- Notes an attempt before its password is looked at, so that attempts at the same moment are counted too. Null when it
-- may be made; else the moment of the oldest that counts, and nothing is noted, or the limit would never end.
create or replace function note_attempt(p_subject text, p_limit integer, p_since timestamptz, p_now timestamptz)
returns timestamptz
language plpgsql as $$
declare
    made integer;
    oldest timestamptz;
begin
    perform pg_advisory_xact_lock(hashtextextended(p_subject, 5));
    select count(*), min(at) into made, oldest from sign_in_failure where subject = p_subject and at > p_since;
    if made >= p_limit then
        return oldest;
    end if;
    insert into sign_in_failure (subject, at) values (p_subject, p_now);
    return null;
end
$$;
