-- A step more than there were harms nobody.
SELECT 1;
