import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

/** Starts each jar of a folder as a bundle in Felix, and runs the consumer's main in there. */
class Felix {
    public static void main(String[] args) throws Exception {
        Path cache = Path.of(args[0]);
        Framework framework = ServiceLoader.load(FrameworkFactory.class)
                .findFirst()
                .orElseThrow()
                .newFramework(Map.of("org.osgi.framework.storage", cache.toString()));
        framework.start();
        try (Stream<Path> jars = Files.list(Path.of(args[1]))) {
            for (Path jar : jars.toList()) {
                framework.getBundleContext().installBundle(jar.toUri().toString());
            }
        }
        Bundle consumer = null;
        for (Bundle bundle : framework.getBundleContext().getBundles()) {
            bundle.start();
            System.err.println(bundle.getSymbolicName() + " " + bundle.getVersion());
            consumer = bundle.getSymbolicName().equals("consumer") ? bundle : consumer;
        }
        consumer.loadClass("consumer.Main").getMethod("main", String[].class).invoke(null, (Object) new String[0]);
        framework.stop();
        framework.waitForStop(0);
    }
}
