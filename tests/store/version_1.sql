-- A store as schema version 1 left it: two owned resources, member hashes, a run with one open intent, a used plan.
PRAGMA application_id = 1380142668;
BEGIN TRANSACTION;
CREATE TABLE reconciler_id_sets (
	digest TEXT NOT NULL,
	ids BLOB NOT NULL,
	PRIMARY KEY (digest)
);
INSERT INTO "reconciler_id_sets" VALUES('10557536ec60dbfb1d21f888b6709600431ada918f47ec8939962abff629a8c4',X'78018B563257D251B2508A0500094601DC');
CREATE TABLE reconciler_identities (
	namespace TEXT NOT NULL,
	account TEXT NOT NULL,
	identity TEXT NOT NULL,
	PRIMARY KEY (namespace, account)
);
INSERT INTO "reconciler_identities" VALUES('acme/prod','main','slicktext:api.example.com:123');
CREATE TABLE reconciler_inventory (
	namespace TEXT NOT NULL,
	address TEXT NOT NULL,
	provider TEXT NOT NULL,
	remote_id TEXT NOT NULL,
	protect BOOLEAN NOT NULL,
	on_remove TEXT NOT NULL,
	fields TEXT NOT NULL,
	parent TEXT,
	updated_at BIGINT NOT NULL,
	PRIMARY KEY (namespace, address)
);
INSERT INTO "reconciler_inventory" VALUES('acme/prod','main/List/join','slicktext','2222',1,'delete','{"name":"Join"}',NULL,1795292045000000);
INSERT INTO "reconciler_inventory" VALUES('acme/prod','main/Membership/join-members','slicktext','2222',0,'keep','{}','2222',1795292045000000);
CREATE TABLE reconciler_last_reads (
	namespace TEXT NOT NULL,
	account TEXT NOT NULL,
	objects TEXT NOT NULL,
	members TEXT NOT NULL,
	read_at BIGINT NOT NULL,
	PRIMARY KEY (namespace, account)
);
INSERT INTO "reconciler_last_reads" VALUES('acme/prod','main','{"List":4}','{"2222":3}',1795292045000000);
CREATE TABLE reconciler_leases (
	identity TEXT NOT NULL,
	nonce TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	host TEXT NOT NULL,
	scope TEXT NOT NULL,
	pid INTEGER NOT NULL,
	process_started TEXT NOT NULL,
	acquired_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (identity)
);
INSERT INTO "reconciler_leases" VALUES('slicktext:api.example.com:123','',1,'builder','',7,'1',1795292045000000,1795292045000000);
CREATE TABLE reconciler_members (
	namespace TEXT NOT NULL,
	address TEXT NOT NULL,
	applied BLOB NOT NULL,
	added BLOB NOT NULL,
	PRIMARY KEY (namespace, address),
	FOREIGN KEY(namespace, address) REFERENCES reconciler_inventory (namespace, address) ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "reconciler_members" VALUES('acme/prod','main/Membership/join-members',X'010101010101010101010101020202020202020202020202030303030303030303030303',X'010101010101010101010101020202020202020202020202030303030303030303030303');
CREATE TABLE reconciler_meta (
	id INTEGER NOT NULL CHECK (id = 1),
	application TEXT NOT NULL,
	schema_version INTEGER NOT NULL,
	store_id TEXT NOT NULL,
	member_key BLOB NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "reconciler_meta" VALUES(1,'reconciler',1,'00000000-0000-0000-0000-000000000001',X'0000000000000000000000000000000000000000000000000000000000000000',1795292045000000);
CREATE TABLE reconciler_operations (
	namespace TEXT NOT NULL,
	run TEXT NOT NULL,
	seq INTEGER NOT NULL,
	address TEXT NOT NULL,
	title TEXT NOT NULL,
	phase INTEGER NOT NULL,
	method TEXT NOT NULL,
	path TEXT NOT NULL,
	contact_class TEXT NOT NULL,
	row_count INTEGER NOT NULL,
	effect TEXT NOT NULL,
	known_ids TEXT,
	members BLOB NOT NULL,
	state TEXT NOT NULL,
	intended_at BIGINT NOT NULL,
	not_after BIGINT NOT NULL,
	recorded_at BIGINT,
	recorded_by TEXT,
	remote_id TEXT,
	note TEXT NOT NULL,
	PRIMARY KEY (namespace, run, seq),
	FOREIGN KEY(namespace, run) REFERENCES reconciler_runs (namespace, id),
	FOREIGN KEY(known_ids) REFERENCES reconciler_id_sets (digest)
)
 WITHOUT ROWID
;
INSERT INTO "reconciler_operations" VALUES('acme/prod','2026-11-21T20.14.05-565c',1,'main/List/vip','create list',1,'POST','/brands/123/lists','silent',0,'{"effect":"created","kind":"List","name":"VIP"}','10557536ec60dbfb1d21f888b6709600431ada918f47ec8939962abff629a8c4',X'','intent',1795292045000000,1795292055000000,NULL,NULL,NULL,'');
CREATE TABLE reconciler_runs (
	namespace TEXT NOT NULL,
	id TEXT NOT NULL,
	command TEXT NOT NULL,
	tool_version TEXT NOT NULL,
	plan_digest TEXT NOT NULL,
	request_id TEXT,
	started_at BIGINT NOT NULL,
	ended_at BIGINT,
	exit_code INTEGER,
	counts TEXT NOT NULL,
	PRIMARY KEY (namespace, id),
	UNIQUE (namespace, request_id)
);
INSERT INTO "reconciler_runs" VALUES('acme/prod','2026-11-21T20.14.05-565c','apply','0.1.0','',NULL,1795292045000000,NULL,NULL,'{}');
CREATE TABLE reconciler_used_plans (
	namespace TEXT NOT NULL,
	digest TEXT NOT NULL,
	run TEXT NOT NULL,
	used_at BIGINT NOT NULL,
	PRIMARY KEY (namespace, digest)
);
INSERT INTO "reconciler_used_plans" VALUES('acme/prod','scrypt$1$salt$hash','2026-11-21T20.14.05-565c',1795292045000000);
CREATE INDEX reconciler_operations_open ON reconciler_operations (namespace, run, seq) WHERE state IN ('intent', 'unknown', 'unresolved');
COMMIT;
