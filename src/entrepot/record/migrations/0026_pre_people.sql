-- People: who they are, how they prove it, what they are to whom. What is personal is sealed under the person's own key.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA identity;

-- A person, or a service account, which has no e-mail and comes in by API keys alone.
CREATE TABLE identity.person (
    id uuid NOT NULL,
    cell integer NOT NULL,
    kind text NOT NULL DEFAULT 'person',
    state text NOT NULL DEFAULT 'unverified',
    name_sealed bytea,
    phone_sealed bytea,
    phone_blind bytea,
    language text NOT NULL DEFAULT 'en',
    market text NOT NULL DEFAULT '',
    currency text NOT NULL DEFAULT '',
    version bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    verified_at timestamptz,
    CONSTRAINT person_id_is_unique PRIMARY KEY (id),
    CONSTRAINT person_kind_is_known CHECK (kind IN ('person', 'service')),
    CONSTRAINT person_state_is_known CHECK (state IN ('unverified', 'active', 'suspended', 'erased'))
) WITH (fillfactor = 80);

CREATE INDEX person_by_phone ON identity.person (phone_blind) WHERE phone_blind IS NOT NULL;
CREATE INDEX person_unverified ON identity.person (created_at) WHERE state = 'unverified';

-- What somebody signs in as. `email_blind` is a keyed hash: an address can be looked up, and not read.
CREATE TABLE identity.login (
    person_id uuid NOT NULL,
    email_sealed bytea NOT NULL,
    email_blind bytea NOT NULL,
    CONSTRAINT login_of_one_person PRIMARY KEY (person_id),
    CONSTRAINT email_signs_in_one_person UNIQUE (email_blind),
    CONSTRAINT login_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE TABLE identity.password (
    person_id uuid NOT NULL,
    hash text NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT one_password_a_person PRIMARY KEY (person_id),
    CONSTRAINT password_is_hashed_by_argon2id CHECK (hash LIKE '$argon2id$%'),
    CONSTRAINT password_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

-- `step` is the last that was used: no code is good twice.
CREATE TABLE identity.totp (
    person_id uuid NOT NULL,
    seed_sealed bytea NOT NULL,
    step bigint NOT NULL DEFAULT 0,
    confirmed_at timestamptz,
    CONSTRAINT one_totp_a_person PRIMARY KEY (person_id),
    CONSTRAINT totp_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE TABLE identity.recovery_code (
    person_id uuid NOT NULL,
    hash bytea NOT NULL,
    used_at timestamptz,
    CONSTRAINT recovery_code_is_unique PRIMARY KEY (person_id, hash),
    CONSTRAINT recovery_code_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE TABLE identity.passkey (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    backed_up boolean NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT passkey_id_is_unique PRIMARY KEY (id),
    CONSTRAINT credential_is_one_passkey UNIQUE (credential_id),
    CONSTRAINT passkey_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX passkey_by_person ON identity.passkey (person_id);

-- Who somebody is to another provider of identities, by a keyed hash of the name that it has for them.
CREATE TABLE identity.external_login (
    provider text NOT NULL,
    subject_blind bytea NOT NULL,
    person_id uuid NOT NULL,
    linked_at timestamptz NOT NULL,
    CONSTRAINT external_login_is_unique PRIMARY KEY (provider, subject_blind),
    CONSTRAINT external_login_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX external_login_by_person ON identity.external_login (person_id);

-- The truth about sessions; Redis holds what is asked at each request. `place_sealed`: from where and by which program.
CREATE TABLE identity.session (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    methods text[] NOT NULL,
    place_sealed bytea,
    began_at timestamptz NOT NULL,
    proved_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    idle_seconds integer NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    why text NOT NULL DEFAULT '',
    CONSTRAINT session_id_is_unique PRIMARY KEY (id),
    CONSTRAINT session_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
) WITH (fillfactor = 70);

CREATE INDEX session_by_person ON identity.session (person_id) WHERE ended_at IS NULL;
CREATE INDEX session_by_end ON identity.session (expires_at);

CREATE TABLE identity.api_key (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    label text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT api_key_id_is_unique PRIMARY KEY (id),
    CONSTRAINT api_key_label_is_a_word CHECK (label ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    CONSTRAINT api_key_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX api_key_by_person ON identity.api_key (person_id);

-- A browser that has signed this person in before: its tries are counted apart from those of strangers.
CREATE TABLE identity.device (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT device_id_is_unique PRIMARY KEY (id),
    CONSTRAINT device_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX device_by_person ON identity.device (person_id);
CREATE INDEX device_by_use ON identity.device (seen_at);

-- Tries in the window that ends at `ends_at`; lost with a crash of the server, which costs whoever guesses nothing less.
CREATE UNLOGGED TABLE identity.attempt (
    bucket bytea NOT NULL,
    tries integer NOT NULL,
    ends_at timestamptz NOT NULL,
    CONSTRAINT attempts_are_counted_once PRIMARY KEY (bucket)
) WITH (fillfactor = 70);

CREATE INDEX attempt_by_end ON identity.attempt (ends_at);

-- What is good once and comes by mail, or from an administrator. `email_sealed`: the address that it is to confirm.
CREATE TABLE identity.link (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    purpose text NOT NULL,
    secret_hash bytea NOT NULL,
    email_sealed bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT link_id_is_unique PRIMARY KEY (id),
    CONSTRAINT link_purpose_is_known CHECK (purpose IN ('verify', 'reset', 'sign_in', 'email')),
    CONSTRAINT link_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX link_by_person ON identity.link (person_id, purpose);
CREATE INDEX link_by_end ON identity.link (expires_at);

-- Letters to be sent. Their links are made when they are sent: no secret lies here.
CREATE TABLE identity.letter (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    about text NOT NULL,
    email_sealed bytea,
    created_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    sent_at timestamptz,
    CONSTRAINT letter_id_is_unique PRIMARY KEY (id),
    CONSTRAINT letter_to_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX letter_due ON identity.letter (next_at) WHERE sent_at IS NULL;
CREATE INDEX letter_by_person ON identity.letter (person_id, about, created_at);

-- Every answer that somebody gave to being asked; the last one counts, and none is changed but by being withdrawn.
CREATE TABLE identity.consent (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    purpose text NOT NULL,
    text_version text NOT NULL,
    how text NOT NULL,
    given_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_how text NOT NULL DEFAULT '',
    CONSTRAINT consent_id_is_unique PRIMARY KEY (id),
    CONSTRAINT consent_purpose_is_a_word CHECK (purpose ~ '^[a-z][a-z0-9_]{0,39}$'),
    CONSTRAINT consent_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE UNIQUE INDEX consent_is_given_once ON identity.consent (person_id, purpose) WHERE withdrawn_at IS NULL;
CREATE INDEX consent_by_person ON identity.consent (person_id, given_at);

CREATE TABLE identity.address (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    country text NOT NULL,
    address_sealed bytea NOT NULL,
    usual boolean NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT address_id_is_unique PRIMARY KEY (id),
    CONSTRAINT address_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX address_by_person ON identity.address (person_id);
CREATE UNIQUE INDEX one_address_is_the_usual ON identity.address (person_id) WHERE usual;

-- What somebody is, and to whom: `tenant` is seller/<code>, company/<id>, or empty for the platform.
CREATE TABLE identity.membership (
    person_id uuid NOT NULL,
    role text NOT NULL,
    tenant text NOT NULL,
    granted_at timestamptz NOT NULL,
    granted_by text NOT NULL,
    CONSTRAINT role_is_held_once PRIMARY KEY (person_id, role, tenant),
    CONSTRAINT membership_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person (id)
);

CREATE INDEX membership_by_tenant ON identity.membership (tenant, role);
