DROP TABLE IF EXISTS `warehouse`.`activation`.`r2_stage`;
CREATE TABLE `warehouse`.`activation`.`r2_stage` (k VARBINARY(1020) NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (k)) AS SELECT k, COUNT(*) AS n FROM (SELECT LEFT(CAST(COALESCE(CAST(k AS CHAR CHARACTER SET utf8mb4), '') AS BINARY), 1020) AS k FROM (
SELECT email AS k FROM members
) s) t GROUP BY k;
SELECT 'rows' AS k, COUNT(*) AS n FROM `warehouse`.`activation`.`r1_keys`;
SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r1_keys` a WHERE NOT EXISTS (SELECT 1 FROM `warehouse`.`activation`.`r2_stage` b WHERE b.k = a.k);
SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r2_stage` a WHERE NOT EXISTS (SELECT 1 FROM `warehouse`.`activation`.`r1_keys` b WHERE b.k = a.k);
SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r2_stage` a;
CREATE TABLE `warehouse`.`activation`.`r2_left_out` (h VARCHAR(2040) CHARACTER SET ascii NOT NULL, PRIMARY KEY (h)) AS SELECT HEX(k) AS h FROM `warehouse`.`activation`.`r2_stage` WHERE 1 = 0;
INSERT INTO `warehouse`.`activation`.`r2_left_out` (h) VALUES ('6F2768617261406578616D706C652E636F6D'), ('');
CREATE TABLE `warehouse`.`activation`.`r2_keys` (k VARBINARY(1020) NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (k)) AS SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r2_stage` a WHERE NOT EXISTS (SELECT 1 FROM `warehouse`.`activation`.`r2_left_out` b WHERE b.h = HEX(a.k));
