package io.exactframe.netty.testing;

import io.netty.util.LeakPresenceDetector;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test that leaves a buffer unreleased. Registered for every test, by a service file. */
public final class LeakCheck implements BeforeEachCallback, AfterEachCallback {
    private static final boolean PRESENCE = "presence".equals(System.getProperty("exactframe.leakDetector"));

    @Override
    public void beforeEach(ExtensionContext context) {
        if (PRESENCE) {
            LeakPresenceDetector.check();
        }
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (PRESENCE) {
            LeakPresenceDetector.check();
        }
    }
}
