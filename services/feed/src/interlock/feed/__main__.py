from interlock.feed.app import main

main()
