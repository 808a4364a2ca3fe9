-- Names are kept with single spaces and in form C from now on, and found so; as callcenter/domain/line.py does it.
update customer set name = tidy.name
from (select id, trim(regexp_replace(normalize(name, nfc), U&'[\0009\000A\000D \00A0\1680\2000-\200A\202F\205F\3000]+', ' ', 'g')) as name
      from customer) tidy
where customer.id = tidy.id and customer.name <> tidy.name and tidy.name <> '';
