DROP TABLE IF EXISTS `warehouse`.`activation`.`r2_stage`;
CREATE TABLE `warehouse`.`activation`.`r2_stage` ENGINE = MergeTree ORDER BY k AS SELECT k, COUNT(*) AS n FROM (SELECT ifNull(toString(k), '') AS k FROM (
SELECT email AS k FROM members
) s) t GROUP BY k;
SELECT 'rows' AS k, COUNT(*) AS n FROM `warehouse`.`activation`.`r1_keys`;
SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r1_keys` a LEFT ANTI JOIN `warehouse`.`activation`.`r2_stage` b ON b.k = a.k;
SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r2_stage` a LEFT ANTI JOIN `warehouse`.`activation`.`r1_keys` b ON b.k = a.k;
SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r2_stage` a;
CREATE TABLE `warehouse`.`activation`.`r2_left_out` ENGINE = MergeTree ORDER BY h AS SELECT hex(k) AS h FROM `warehouse`.`activation`.`r2_stage` WHERE 1 = 0;
INSERT INTO `warehouse`.`activation`.`r2_left_out` (h) VALUES ('6F2768617261406578616D706C652E636F6D'), ('');
CREATE TABLE `warehouse`.`activation`.`r2_keys` ENGINE = MergeTree ORDER BY k AS SELECT a.k AS k, a.n AS n FROM `warehouse`.`activation`.`r2_stage` a LEFT ANTI JOIN `warehouse`.`activation`.`r2_left_out` b ON b.h = hex(a.k);
