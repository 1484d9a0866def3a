DROP TABLE erased_mark;
DROP TABLE erased_person;
DROP TABLE erasure_key;
