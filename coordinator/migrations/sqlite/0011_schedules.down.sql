DROP TABLE forge_repository;
DROP TABLE forge_budget;
DROP TABLE forge_page;
DROP TABLE schedule_run;
DROP TABLE schedule;
