import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

/**
 * Installs each jar of a folder as a bundle in Felix, starts the consumer, which takes what it needs of the others
 * (netty-codec brings one that wants protobuf's), and runs its main in there.
 */
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
            for (Bundle bundle : framework.getBundleContext().getBundles()) {
                if (bundle.getSymbolicName().equals("consumer")) {
                    bundle.start();
                    bundle.loadClass("consumer.Main").getMethod("main", String[].class).invoke(null, (Object) args);
                }
            }
        } finally {
            framework.stop(); // or its threads would stay
            framework.waitForStop(0);
        }
    }
}
