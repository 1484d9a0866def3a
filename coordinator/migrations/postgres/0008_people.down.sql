DROP TABLE people_link;
