-- Where the end-of-day job puts what it has computed until all workspaces are through, and who is through.
-- Not logged: after a crash of the server they are empty together, and the run that was broken off begins
-- anew. Frozen: a later change is a later migration.

create unlogged table staged_usage_snapshot
    (like workspace_usage_snapshot including constraints including indexes);
alter table staged_usage_snapshot
    drop column packed,
    add foreign key (workspace_id) references workspace (id);

create unlogged table staged_compliance_history
    (like compliance_snapshot_history including constraints);
alter table staged_compliance_history
    drop column packed,
    add primary key (workspace_id, framework, snapshot_date),
    add foreign key (workspace_id) references workspace (id);

create unlogged table staged_duration_block
    (like duration_block including constraints including indexes);
alter table staged_duration_block
    add foreign key (workspace_id) references workspace (id);

create unlogged table staged_workspace (
    workspace_id BIGINT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    days DATE[] NOT NULL,
    PRIMARY KEY (workspace_id),
    FOREIGN KEY(workspace_id) REFERENCES workspace (id)
);

alter table snapshot_run drop column hidden_from;
