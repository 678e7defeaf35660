DROP TABLE IF EXISTS "warehouse"."activation"."r2_stage";
CREATE TABLE "warehouse"."activation"."r2_stage" AS SELECT k, COUNT(*) AS n FROM (SELECT COALESCE(COLLATE(CAST(k AS VARCHAR), ''), '') AS k FROM (
SELECT email AS k FROM members
) s) t GROUP BY k;
SELECT 'rows' AS k, COUNT(*) AS n FROM "warehouse"."activation"."r1_keys";
SELECT a.k AS k, a.n AS n FROM "warehouse"."activation"."r1_keys" a WHERE NOT EXISTS (SELECT 1 FROM "warehouse"."activation"."r2_stage" b WHERE b.k = a.k);
SELECT a.k AS k, a.n AS n FROM "warehouse"."activation"."r2_stage" a WHERE NOT EXISTS (SELECT 1 FROM "warehouse"."activation"."r1_keys" b WHERE b.k = a.k);
SELECT a.k AS k, a.n AS n FROM "warehouse"."activation"."r2_stage" a;
CREATE TABLE "warehouse"."activation"."r2_left_out" AS SELECT HEX_ENCODE(k) AS h FROM "warehouse"."activation"."r2_stage" WHERE 1 = 0;
INSERT INTO "warehouse"."activation"."r2_left_out" (h) VALUES ('6F2768617261406578616D706C652E636F6D'), ('');
CREATE TABLE "warehouse"."activation"."r2_keys" AS SELECT a.k AS k, a.n AS n FROM "warehouse"."activation"."r2_stage" a WHERE NOT EXISTS (SELECT 1 FROM "warehouse"."activation"."r2_left_out" b WHERE b.h = HEX_ENCODE(a.k));
